package frozenclock

import (
	"fmt"
	"os"
)

// ClearShared removes what libfaketime left in shared memory for a process of this
// number that was killed: found there, it would end a new one with the number. It is
// for the process itself to call; what can't be removed libfaketime will tell.
func ClearShared(pid int) {
	for _, name := range []string{"sem.faketime_sem_%d", "faketime_shm_%d"} {
		_ = os.Remove(fmt.Sprintf("/dev/shm/"+name, pid))
	}
}
