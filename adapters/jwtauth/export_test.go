package jwtauth

// Date is date, for its fuzz test.
type Date = date
