// Package ports says what crosses the border of the application.
//
// inbound.go is what an adapter may ask of the application; outbound.go is what the application
// needs of the world. The comment of each method is its specification: errors, order, ownership,
// whether it may block. Package portstest checks an outbound adapter against it.
//
// Every error that a client may be told is a *domain.Error; any other error means INTERNAL.
package ports

//go:generate go tool mockgen -typed -package=mocks -destination=../mocks/ports.go parley/ports Chat,Backend,Authenticator,RoomStore,MessageLog,Broadcaster,Disconnector
