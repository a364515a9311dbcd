// Package ports holds the interfaces at the border of the application.
//
// inbound.go is what clients' adapters may ask of the application, and backend.go what backends' may; outbound.go is
// what the application needs of the world. The comment of each method is its specification: errors, order, ownership,
// whether it may block. Package portstest checks outbound adapters against it.
//
// Every error that a client may be told is a *domain.Error; any other error means INTERNAL.
package ports

//go:generate go tool mockgen -typed -package=mocks -destination=../mocks/ports.go parley/ports Chat,Backend,Authenticator,RoomStore,MessageLog,Broadcaster,Disconnector
