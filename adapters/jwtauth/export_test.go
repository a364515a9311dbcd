package jwtauth

// Date is how claims read a time.
type Date = date
