package statement

import "slices"

// Kind says what a statement is. Every kind stands in [Kinds].
type Kind string

// The kinds that never carry a dataset.
const (
	KindRegistration Kind = "registration"
	KindEnrolment    Kind = "enrolment"
	KindRevocation   Kind = "revocation"
	KindSuccession   Kind = "succession"
	KindCorrection   Kind = "correction"
	KindWithdrawal   Kind = "withdrawal"
	KindErasure      Kind = "erasure"
	KindAccess       Kind = "access"
	KindNote         Kind = "note"
)

// The kinds with content.
const (
	KindProtocol          Kind = "protocol"
	KindAmendment         Kind = "amendment"
	KindConsentForm       Kind = "consent-form"
	KindConsent           Kind = "consent" // one participant's signed consent record
	KindApproval          Kind = "approval"
	KindAnalysisPlan      Kind = "analysis-plan"
	KindRandomisationList Kind = "randomisation-list"
	KindDataset           Kind = "dataset"
	KindCustody           Kind = "custody" // a link of the investigational product's chain
	KindDatabaseLock      Kind = "database-lock"
	KindUnblinding        Kind = "unblinding"
	KindAnalysis          Kind = "analysis"
	KindReport            Kind = "report"
)

// Kinds returns every kind: those without content first, then those with, in the
// order of the formats' text. The caller owns the slice.
func Kinds() []Kind {
	return []Kind{
		KindRegistration, KindEnrolment, KindRevocation, KindSuccession, KindCorrection,
		KindWithdrawal, KindErasure, KindAccess, KindNote,
		KindProtocol, KindAmendment, KindConsentForm, KindConsent, KindApproval, KindAnalysisPlan,
		KindRandomisationList, KindDataset, KindCustody, KindDatabaseLock, KindUnblinding,
		KindAnalysis, KindReport,
	}
}

// Known reports whether k stands in [Kinds].
func (k Kind) Known() bool {
	allowed, _ := k.Content()
	return allowed || k.bare()
}

func (k Kind) bare() bool {
	switch k {
	case KindRegistration, KindEnrolment, KindRevocation, KindSuccession, KindCorrection,
		KindWithdrawal, KindErasure, KindAccess, KindNote:
		return true
	}
	return false
}

// Content reports whether a statement of kind k may carry a dataset line, and
// whether it must.
func (k Kind) Content() (allowed, required bool) {
	switch k {
	case KindApproval, KindDatabaseLock, KindUnblinding:
		return true, false
	case KindProtocol, KindAmendment, KindConsentForm, KindConsent, KindAnalysisPlan,
		KindRandomisationList, KindDataset, KindCustody, KindAnalysis, KindReport:
		return true, true
	}
	return false, false
}

// keys is the number of key lines a statement of kind k carries, exactly.
func (k Kind) keys() int {
	switch k {
	case KindRegistration:
		return 2
	case KindEnrolment, KindRevocation, KindSuccession:
		return 1
	}
	return 0
}

// needsReason reports whether a statement of kind k must say why.
func (k Kind) needsReason() bool {
	switch k {
	case KindRevocation, KindSuccession, KindWithdrawal, KindCorrection, KindErasure:
		return true
	}
	return false
}

// Role is what a key was granted for.
type Role string

// The roles. Sponsor and recovery keys of the trial stream grant other keys.
const (
	RoleSponsor    Role = "sponsor"
	RoleRecovery   Role = "recovery"
	RoleSite       Role = "site"
	RoleMonitor    Role = "monitor"
	RoleBoard      Role = "board"
	RoleInspector  Role = "inspector"
	RoleLaboratory Role = "laboratory"
	RoleDSMB       Role = "dsmb"
)

// Roles returns every role. The caller owns the slice.
func Roles() []Role {
	return []Role{RoleSponsor, RoleRecovery, RoleSite, RoleMonitor, RoleBoard, RoleInspector, RoleLaboratory, RoleDSMB}
}

// Known reports whether r stands in [Roles].
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// Grants reports whether a key of role r, granted for the trial stream, may
// enrol, revoke and succeed keys.
func (r Role) Grants() bool { return r == RoleSponsor || r == RoleRecovery }

// Closes reports whether a grant of role r makes its stream a closed one: what
// stands there could unblind those who run the trial.
func (r Role) Closes() bool { return r == RoleDSMB || r == RoleLaboratory }

// readsOpen and readsAll report whether a key of role r reads the trial stream and
// every open stream of its trial, or every stream.
func (r Role) readsOpen() bool {
	return r == RoleSponsor || r == RoleRecovery || r == RoleMonitor || r == RoleBoard
}

func (r Role) readsAll() bool { return r == RoleInspector || r == RoleDSMB }

// Meaning is what a signature stands for (21 CFR 11.50).
type Meaning string

// The meanings.
const (
	MeaningAuthorship     Meaning = "authorship"
	MeaningReview         Meaning = "review"
	MeaningApproval       Meaning = "approval"
	MeaningResponsibility Meaning = "responsibility"
)

// Meanings returns every meaning. The caller owns the slice.
func Meanings() []Meaning {
	return []Meaning{MeaningAuthorship, MeaningReview, MeaningApproval, MeaningResponsibility}
}

// Known reports whether m stands in [Meanings].
func (m Meaning) Known() bool {
	switch m {
	case MeaningAuthorship, MeaningReview, MeaningApproval, MeaningResponsibility:
		return true
	}
	return false
}
