package e2e

import (
	"errors"
	"io"
	"net/http"
)

const (
	// chatMessage is how many octets a message of a chat has.
	chatMessage = 64
	// maxChat is how many messages it has.
	maxChat = 6
)

// errHungUp ends a request from the client's side.
var errHungUp = errors.New("the client hung up")

// chat says something when the answer to what it said before has come. It may hang
// up after the first answer.
func (c *stressClient) chat(quits bool) {
	message, messages := stressOctets[:chatMessage], 2+c.random.IntN(maxChat-1)
	words := newOpenBody()
	defer words.end()
	words.more <- message
	c.send(ask{
		method: http.MethodPost, path: "/up/chat", meter: c.meter(), open: words,
		headers: []string{"content-type", "application/grpc", "te", "trailers"},
		read: func(answer io.Reader) error {
			for said := 1; ; said++ {
				if _, err := io.ReadFull(answer, make([]byte, 32)); err != nil {
					return err
				}
				if quits {
					c.s.happened("the client hung up in a chat")
					return errHungUp
				}
				if said == messages {
					break
				}
				words.more <- message
			}
			close(words.more)
			_, err := io.Copy(io.Discard, answer)
			return err
		},
	})
}
