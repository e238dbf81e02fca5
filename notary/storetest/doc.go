// Package storetest is the contract of [notary.Store] as a test, and two stores
// to test the service with.
//
//   - [Run] proves an implementation: memory, disk and AWS pass the same cases.
//   - [Memory] is a strict store in memory, whose database can be put back to an
//     older copy while its objects stay.
//   - [Faulty] wraps a store and makes chosen calls fail, half-happen, happen but
//     report failure, or be the last thing that the process ever does.
//
// A fault matrix enumerates the calls of one good run and repeats the run once
// for each of them and each [Fault]:
//
//	good := storetest.NewFaulty(storetest.NewMemory(), nil)
//	story(good)
//	for n := range good.Calls() {
//		for _, fault := range storetest.Faults() {
//			store := storetest.NewMemory()
//			story(storetest.NewFaulty(store, storetest.At(n, fault)))
//			story(store) // retry, or another process
//			verify(store)
//		}
//	}
package storetest
