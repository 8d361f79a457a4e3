package startup

/*
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// oneArena lets all threads share the C library's first arena, which grows in steps of
// 128 KiB. An arena of a thread's own, which a thread makes as it starts, grows page by
// page, each with a system call, a hundred before a query's first result. serve,
// whose threads allocate side by side for as long as it runs, keeps theirs, and so does
// whoever asked for a number.
__attribute__((constructor)) static void oneArena(int argc, char **argv) {
	if (getenv("MALLOC_ARENA_MAX") == NULL && !(argc > 1 && strcmp(argv[1], "serve") == 0))
		mallopt(M_ARENA_MAX, 1);
}
*/
import "C"
