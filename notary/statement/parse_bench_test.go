package statement

import (
	"os"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	for _, file := range []string{"sample-dataset-site-001", "approval-every-line", "registration-public"} {
		b.Run(file, func(b *testing.B) {
			note, err := os.ReadFile(vectors + "good/" + file + ".txt")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(note); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	a, err := NewAuthority(sign(b, registration(), "acme"), 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := a.Add(sign(b, granting(KindEnrolment, RoleSite, "site-001", "site-001.jdoe"), "acme"), 1, noon); err != nil {
		b.Fatal(err)
	}
	n := sign(b, dataset("site-001"), "site-001.jdoe")
	b.Run("with signature", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Check(n, 2, noon); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("accepted before", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.CheckAccepted(n, 2, noon); err != nil {
				b.Fatal(err)
			}
		}
	})
}
