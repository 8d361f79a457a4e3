package auditlog

import (
	"bytes"
	"slices"
	"sync"
)

// keptBlocks is how many blocks a view remembers: reading an entry and then its
// neighbours decompresses once.
const keptBlocks = 4

// blocks are the newest ones that were read, the newest last.
type blocks struct {
	mu   sync.Mutex
	list []*block
}

// entry returns an entry, a copy, if one of the blocks has it.
func (c *blocks) entry(offset uint64) (Entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.list) - 1; i >= 0; i-- {
		b := c.list[i]
		if offset < b.first || offset-b.first >= b.count() {
			continue
		}
		if i < len(c.list)-1 {
			c.list = append(slices.Delete(c.list, i, i+1), b)
		}
		e := b.at(offset)
		e.Raw = bytes.Clone(e.Raw)
		return e, true
	}
	return Entry{}, false
}

// room is a block to read into: the oldest, which is not remembered any more, or a new one.
func (c *blocks) room() *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) < keptBlocks {
		return &block{}
	}
	b := c.list[0]
	c.list = slices.Delete(c.list, 0, 1)
	return b
}

// keep remembers a block, whose room is the list's from now on.
func (c *blocks) keep(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, b)
}
