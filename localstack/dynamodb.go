package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// dynamoPOM asks Maven for DynamoDB Local. LocalStack would download Amazon's zip
// of the same program.
const dynamoPOM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>trialnotary</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>2.6.1</version>
  </dependency></dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version>
  </plugin></plugins></build>
</project>
`

// installDynamoDB puts DynamoDB Local and all it needs below java/, in the shape
// LocalStack looks for:
//
//	DynamoDBLocal.jar            a launcher: Main-Class and a Class-Path into DynamoDBLocal_lib/
//	DynamoDBLocal_lib/           the jars, and sqlite4java's native library
//	ddb-local-loader-0.1.jar     an agent that does nothing; LocalStack's own lifts a limit we are far from
func (p place) installDynamoDB(ctx context.Context) error {
	dir := p.path("java")
	return p.once(dir, dynamoPOM, "DynamoDB Local", func() error {
		mvn, err := exec.LookPath("mvn")
		if err != nil {
			return errors.New("Maven is needed the first time, to download DynamoDB Local: no mvn on the PATH")
		}
		if err := os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(dynamoPOM), 0o644); err != nil {
			return err
		}
		lib := filepath.Join(dir, "DynamoDBLocal_lib")
		if err := p.step(ctx, dir, nil, mvn, "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+lib); err != nil {
			return err
		}
		if err := nameNatives(lib); err != nil {
			return err
		}
		jars, err := filepath.Glob(filepath.Join(lib, "*.jar"))
		if err != nil || len(jars) == 0 {
			return fmt.Errorf("Maven left no jar in %s", lib)
		}
		var class strings.Builder
		for _, jar := range jars {
			class.WriteString(" DynamoDBLocal_lib/" + filepath.Base(jar))
		}
		return errors.Join(
			writeJar(filepath.Join(dir, "DynamoDBLocal.jar"), []string{
				"Main-Class: com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "Class-Path:" + class.String()}, nil),
			writeJar(filepath.Join(dir, "ddb-local-loader-0.1.jar"), []string{"Premain-Class: Idle"}, map[string][]byte{"Idle.class": idleClass()}))
	})
}

// nameNatives gives each native library, which Maven names with its version, the
// name Java looks for.
func nameNatives(lib string) error {
	files, err := os.ReadDir(lib)
	if err != nil {
		return err
	}
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); ext == ".so" || ext == ".dylib" {
			name := f.Name()[:strings.LastIndex(f.Name(), "-")] + ext
			if err := os.Rename(filepath.Join(lib, f.Name()), filepath.Join(lib, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeJar writes a jar with these manifest attributes, folded at 72 bytes as the
// JAR File Specification asks ("Notes on Manifest and Signature Files").
func writeJar(name string, attributes []string, files map[string][]byte) error {
	var manifest strings.Builder
	for _, line := range append([]string{"Manifest-Version: 1.0"}, attributes...) {
		for len(line) > 70 {
			manifest.WriteString(line[:70] + "\r\n")
			line = " " + line[70:]
		}
		manifest.WriteString(line + "\r\n")
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("META-INF/MANIFEST.MF")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\r\n", manifest.String())
	for path, content := range files {
		if w, err = z.Create(path); err != nil {
			return err
		}
		if _, err = w.Write(content); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// idleClass is the class file (Java Virtual Machine Specification §4) of
//
//	public class Idle { public static void premain(String args) {} }
func idleClass() []byte {
	var b bytes.Buffer
	put := func(bytes ...byte) { b.Write(bytes) }
	utf8 := func(s string) { put(1, 0, byte(len(s))); b.WriteString(s) }
	put(0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 52) // Java 8
	put(0, 8)                                // constants 1 to 7
	utf8("Idle")                             // 1
	put(7, 0, 1)                             // 2 the class
	utf8("java/lang/Object")                 // 3
	put(7, 0, 3)                             // 4 its superclass
	utf8("premain")                          // 5
	utf8("(Ljava/lang/String;)V")            // 6
	utf8("Code")                             // 7
	put(0, 0x21, 0, 2, 0, 4, 0, 0, 0, 0)     // public super; this, super; no interfaces, no fields
	put(0, 1, 0, 9, 0, 5, 0, 6, 0, 1)        // one method: public static premain, one attribute
	put(0, 7, 0, 0, 0, 13, 0, 0, 0, 1)       // Code, 13 bytes: stack 0, locals 1
	put(0, 0, 0, 1, 0xB1, 0, 0, 0, 0)        // one byte of code, return; no handlers, no attributes
	put(0, 0)                                // no class attributes
	return b.Bytes()
}
