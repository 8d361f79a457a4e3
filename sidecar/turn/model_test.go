package turn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// modelTicket and model state the rules in the plainest way: a list in order of
// arrival, looked through from the front after each step.
type modelTicket struct {
	id   int
	keys []string
	runs bool
}

type model []*modelTicket

// settle lets every ticket run that no earlier one excludes, waiting or running.
func (m model) settle() {
	for i, t := range m {
		t.runs = t.runs || !slices.ContainsFunc(m[:i], t.excludes)
	}
}

func (t *modelTicket) excludes(o *modelTicket) bool {
	return len(t.keys) == 0 || len(o.keys) == 0 ||
		slices.ContainsFunc(t.keys, func(k string) bool { return slices.Contains(o.keys, k) })
}

// TestModel does the same random arrivals, releases and cancellations on lines
// and on the model and compares who runs after each.
func TestModel(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			l := lines{last: make(map[string]*place)}
			tickets := make(map[int]*ticket)
			granted := make(map[*ticket]bool)
			grant := func(g *ticket) {
				if granted[g] {
					t.Fatal("a ticket was granted twice")
				}
				granted[g] = true
			}
			var m model
			for step := range 400 {
				if len(m) == 0 || r.IntN(100) < 52 {
					keys := randomKeys(r)
					tickets[step] = newTicket(keys)
					if l.join(tickets[step]) {
						grant(tickets[step])
					}
					m = append(m, &modelTicket{id: step, keys: keys})
				} else {
					i := r.IntN(len(m))
					l.leave(tickets[m[i].id], grant)
					m = slices.Delete(m, i, i+1)
				}
				m.settle()
				for _, want := range m {
					if granted[tickets[want.id]] != want.runs {
						t.Fatalf("step %d: ticket %d with %v runs: %v, want %v",
							step, want.id, want.keys, granted[tickets[want.id]], want.runs)
					}
				}
			}
			for _, left := range m {
				l.leave(tickets[left.id], grant)
			}
			if len(l.last) != 0 || l.tail != nil {
				t.Error("the lines are not empty after all tickets left")
			}
		})
	}
}

// randomKeys returns none to four of six keys, some of them twice.
func randomKeys(r *rand.Rand) []string {
	var keys []string
	if r.IntN(12) == 0 {
		return nil
	}
	for range 1 + r.IntN(4) {
		keys = append(keys, string(rune('a'+r.IntN(6))))
	}
	return keys
}
