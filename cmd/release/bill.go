package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// billOf returns the bill of materials of a binary, as CycloneDX 1.6 in JSON. Its
// serial number is made from the binary, so that it is the same for the same bytes.
func billOf(v version, system, arch string, binary []byte, parts []module) ([]byte, error) {
	bom := cdx.NewBOM()
	sum := sha256.Sum256(binary)
	u := sum
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80 // RFC 9562 §5.8, a UUID made as one likes
	bom.SerialNumber = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
	self := cdx.Component{BOMRef: "trialnotary", Type: cdx.ComponentTypeApplication, Name: "trialnotary", Version: v.name,
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: fmt.Sprintf("%x", sum)}},
		Properties: &[]cdx.Property{{Name: "trialnotary:commit", Value: v.commit}, {Name: "trialnotary:system", Value: system + "/" + arch}}}
	bom.Metadata = &cdx.Metadata{Timestamp: v.time.Format(time.RFC3339), Component: &self}
	var components []cdx.Component
	var needs []string
	for _, m := range parts {
		ids, err := licenceIDs(m)
		if err != nil {
			return nil, err
		}
		url := "pkg:golang/" + m.Path + "@" + m.Version
		c := cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url}
		if len(ids) > 0 {
			var all cdx.Licenses
			for _, id := range ids {
				all = append(all, cdx.LicenseChoice{License: &cdx.License{ID: id}})
			}
			c.Licenses = &all
		}
		if m.Sum != "" {
			c.Properties = &[]cdx.Property{{Name: "go:sum", Value: m.Sum}}
		}
		components = append(components, c)
		needs = append(needs, url)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &needs}}
	var b bytes.Buffer
	err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	return b.Bytes(), err
}
