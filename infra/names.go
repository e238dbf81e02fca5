package main

// What the functions and this app agree on besides the environment, which is
// written down in notary/onaws.
const (
	inboxPrefix = "IN#" // of the partitions that submit may write
	eventSource = "trialnotary"

	metricSpace         = "trialnotary"
	metricSealAge       = "SealAge"
	metricOldestPending = "OldestPending"
	metricForks         = "Forks"
	metricAuditFailures = "AuditFailures"
)
