package client

// privateRules is the protected access list, in Microsoft's descriptor language, of
// a file that its owner alone may use: inherited entries, such as a shared folder's
// for everyone in the department, do not count for it.
//
//	D:P            the list, protected from inheritance
//	(A;;FA;;;SID)  allow all of a file to that user
func privateRules(sid string) string { return "D:P(A;;FA;;;" + sid + ")" }
