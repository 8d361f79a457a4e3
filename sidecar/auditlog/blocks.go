package auditlog

import (
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

// with returns the block that has an offset, or nil.
func (c *blocks) with(offset uint64) *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, b := range c.list {
		if offset >= b.first && offset-b.first < b.count() {
			c.list = append(slices.Delete(c.list, i, i+1), b)
			return b
		}
	}
	return nil
}

func (c *blocks) keep(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) == keptBlocks {
		c.list = slices.Delete(c.list, 0, 1)
	}
	c.list = append(c.list, b)
}
