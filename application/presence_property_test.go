package application_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

var presenceSeed = flag.Uint64("presence.seed", 0, "run the presence property with this seed only")

// TestPresence_property plays random histories of users with several sessions in several rooms, and
// compares who is present, and who is told of it, with a model that is too simple to be wrong.
func TestPresence_property(t *testing.T) {
	for _, seed := range seeds(*presenceSeed) {
		t.Run(fmt.Sprintf("-presence.seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playPresence(t, seed) })
		})
	}
}

func playPresence(t *testing.T, seed uint64) {
	p := &presencePlay{
		world:  newWorld(t, config()),
		t:      t,
		random: rand.New(rand.NewPCG(seed, 0)),
		model:  newPresenceModel(),
	}
	for step := range 3000 {
		what := p.step()
		synctest.Wait()
		p.compare(fmt.Sprintf("seed %d, step %d: %s", seed, step, what))
	}
	require.Positive(t, p.model.returned, "nobody came back within the grace time")
	require.Positive(t, p.model.expired, "nobody's grace time ran out")
	require.Positive(t, p.model.waited, "nobody left while another of its sessions was away")
}

type presencePlay struct {
	*world
	t      *testing.T
	random *rand.Rand
	model  *presenceModel
	opened int
}

var (
	playUsers = []domain.UserID{"ann", "bob", "eve", "zoe"}
	playRooms = []domain.ConversationID{"c1", "c2", "c3"}
)

// step does one thing to the chat and the same to the model.
func (p *presencePlay) step() string {
	c := playRooms[p.random.IntN(len(playRooms))]
	open := slices.Sorted(maps.Keys(p.model.sessions))
	choice := p.random.IntN(20)
	if len(open) == 0 || choice < 4 && len(open) < 10 {
		p.opened++
		id, user := domain.SessionID(fmt.Sprint("s", p.opened)), playUsers[p.random.IntN(len(playUsers))]
		p.connect(id, user)
		p.model.sessions[id] = user
		return fmt.Sprintf("%s of %s connects", id, user)
	}
	id := open[p.random.IntN(len(open))]
	switch {
	case choice < 10:
		p.join(id, c)
		p.model.join(id, c)
		return fmt.Sprintf("%s joins %s", id, c)
	case choice < 12:
		err := p.Leave(ctx, id, c)
		if was := p.model.leave(id, c); was {
			require.NoError(p.t, err)
		} else {
			assertCode(p.t, domain.CodeNotInConversation, err)
		}
		return fmt.Sprintf("%s leaves %s", id, c)
	case choice < 13:
		p.Disconnect(ctx, id, ports.Left)
		p.model.disconnect(id, true)
		return fmt.Sprintf("%s says goodbye", id)
	case choice < 17:
		p.Disconnect(ctx, id, ports.Dropped)
		p.model.disconnect(id, false)
		return fmt.Sprintf("%s drops", id)
	default:
		d := time.Duration(1+p.random.IntN(6)) * time.Second
		time.Sleep(d)
		p.model.advance()
		return fmt.Sprintf("%v pass", d)
	}
}

// compare checks who is present, and what each session was told in this step.
func (p *presencePlay) compare(at string) {
	for _, c := range playRooms {
		require.Equal(p.t, slices.Sorted(maps.Keys(p.model.rooms[c])), p.members(c), at)
	}
	for id := range p.model.told {
		require.Equal(p.t, sorted(p.model.told[id]), sorted(p.recorder.take(id)), "%s: told to %s", at, id)
	}
	clear(p.model.told)
	require.Empty(p.t, p.recorder.untaken(), at)
}

// presenceModel is the rule in its plainest form: a user is present in a room while a session of the user is there, or
// one that dropped may come back within the grace time.
type presenceModel struct {
	sessions map[domain.SessionID]domain.UserID
	rooms    map[domain.ConversationID]map[domain.UserID]*presentUser
	told     map[domain.SessionID][]domain.Event
	// returned, expired and waited count what the histories must have contained.
	returned, expired, waited int
}

type presentUser struct {
	sessions map[domain.SessionID]bool
	// absent counts the sessions that dropped and have not been made up for by a join; until is the latest of their times.
	absent int
	until  time.Time
}

func newPresenceModel() *presenceModel {
	m := &presenceModel{
		sessions: map[domain.SessionID]domain.UserID{},
		rooms:    map[domain.ConversationID]map[domain.UserID]*presentUser{},
		told:     map[domain.SessionID][]domain.Event{},
	}
	for _, c := range playRooms {
		m.rooms[c] = map[domain.UserID]*presentUser{}
	}
	return m
}

func (m *presenceModel) join(id domain.SessionID, c domain.ConversationID) {
	user := m.sessions[id]
	present, was := m.rooms[c][user]
	if !was {
		present = &presentUser{sessions: map[domain.SessionID]bool{}}
		m.tell(c, domain.UserJoined{Conversation: c, User: user, At: time.Now()})
		m.rooms[c][user] = present
	}
	if present.sessions[id] {
		return
	}
	if present.absent > 0 {
		present.absent--
		m.returned++
	}
	present.sessions[id] = true
}

func (m *presenceModel) leave(id domain.SessionID, c domain.ConversationID) (was bool) {
	user := m.sessions[id]
	present, in := m.rooms[c][user]
	if !in || !present.sessions[id] {
		return false
	}
	delete(present.sessions, id)
	switch {
	case len(present.sessions) > 0:
	case present.absent > 0:
		m.waited++
	default:
		m.depart(c, user)
	}
	return true
}

func (m *presenceModel) disconnect(id domain.SessionID, left bool) {
	for _, c := range playRooms {
		if left {
			m.leave(id, c)
			continue
		}
		if present, in := m.rooms[c][m.sessions[id]]; in && present.sessions[id] {
			delete(present.sessions, id)
			present.absent++
			present.until = time.Now().Add(grace)
		}
	}
	delete(m.sessions, id)
}

func (m *presenceModel) advance() {
	for _, c := range playRooms {
		for user, present := range m.rooms[c] {
			if present.absent == 0 || present.until.After(time.Now()) {
				continue
			}
			present.absent = 0
			if len(present.sessions) == 0 {
				m.expired++
				m.departAt(c, user, present.until)
			}
		}
	}
}

func (m *presenceModel) depart(c domain.ConversationID, user domain.UserID) {
	m.departAt(c, user, time.Now())
}

func (m *presenceModel) departAt(c domain.ConversationID, user domain.UserID, at time.Time) {
	delete(m.rooms[c], user)
	m.tell(c, domain.UserLeft{Conversation: c, User: user, At: at})
}

func (m *presenceModel) tell(c domain.ConversationID, e domain.Event) {
	for _, present := range m.rooms[c] {
		for id := range present.sessions {
			m.told[id] = append(m.told[id], e)
		}
	}
}

// sorted puts events of one instant into a fixed order, because they have none between rooms.
func sorted(events []domain.Event) []domain.Event {
	slices.SortFunc(events, func(a, b domain.Event) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return events
}
