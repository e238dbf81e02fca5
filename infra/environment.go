package main

import (
	"maps"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"trialnotary/notary/onaws"
)

// localSeed makes the ML-DSA-44 key of every local stage, because the emulator's
// KMS has none. It is no secret, and refused by the functions anywhere else.
const localSeed = "dHJpYWxub3RhcnkgbG9jYWwgc3RhZ2UsIG5vIHNlY3I="

// environment is what every function is told.
func environment(s *stage, table awsdynamodb.Table, log, state, site awss3.Bucket, keys, old []awskms.CfnKey) map[string]*string {
	env := map[string]*string{
		onaws.EnvOrigin:      &s.Origin,
		onaws.EnvTable:       table.TableName(),
		onaws.EnvLogBucket:   log.BucketName(),
		onaws.EnvStateBucket: state.BucketName(),
		onaws.EnvSiteBucket:  site.BucketName(),
		onaws.EnvSigningKeys: keyList(keys),
		onaws.EnvOldKeys:     keyList(old),
		onaws.EnvSponsors:    &s.Sponsors,
		onaws.EnvWitnesses:   &s.Witnesses,
		onaws.EnvTSAs:        &s.TSAs,
		onaws.EnvRetention:   new(s.Retention.String()),
	}
	if s.Local() {
		env[onaws.EnvLocalSeed] = new(localSeed)
	}
	// CloudFormation takes no variable without a value: none is the same.
	maps.DeleteFunc(env, func(_ string, value *string) bool { return *value == "" })
	return env
}
