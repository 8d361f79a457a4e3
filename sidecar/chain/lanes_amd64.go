package chain

/*
#include <cpuid.h>
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// lane is where one of the messages that are hashed together stands: its blocks are
// those at, then whole ones of the body, then the last ones in room. The state is in
// the order in which the processor's instructions want it.
typedef struct {
	__m128i abef, cdgh;
	const uint8_t* at;
	uint32_t left;
	const uint8_t* body;
	uint32_t whole, last;
	uint8_t* out;
	uint8_t room[4 * 64];
} lane;

static int has_sha(void) {
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

#define SHA __attribute__((target("sha,ssse3,sse4.1"), always_inline)) static inline

// pad puts behind the last octets of a message what FIPS 180-4, section 5.1.1, wants,
// and says how many blocks they are then.
SHA uint32_t pad(uint8_t* octets, size_t used, uint64_t size) {
	uint32_t blocks = used + 9 <= 64 ? 1 : used + 9 <= 128 ? 2 : 3;
	uint64_t bits = __builtin_bswap64(size * 8);
	octets[used] = 0x80;
	memset(octets + used + 1, 0, 64 * blocks - used - 9);
	memcpy(octets + 64 * blocks - 8, &bits, 8);
	return blocks;
}

// begin takes a message: a head of less than 64 octets, and a body.
SHA void begin(lane* l, const uint8_t* head, size_t head_size, const uint8_t* body, size_t size, uint8_t* out) {
	l->abef = _mm_set_epi32(0x6a09e667, 0xbb67ae85, 0x510e527f, 0x9b05688c);
	l->cdgh = _mm_set_epi32(0x3c6ef372, 0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
	l->at = l->room;
	l->whole = l->last = 0;
	l->out = out;
	memcpy(l->room, head, head_size);
	if (head_size + size < 128) {
		memcpy(l->room + head_size, body, size);
		l->left = pad(l->room, head_size + size, head_size + size);
		return;
	}
	size_t beside = 64 - head_size, rest = (size - beside) % 64;
	memcpy(l->room + head_size, body, beside);
	l->left = 1;
	l->body = body + beside;
	l->whole = (size - beside) / 64;
	memcpy(l->room + 64, body + size - rest, rest);
	l->last = pad(l->room + 64, rest, head_size + size);
}

// more says whether the message has blocks left.
SHA int more(lane* l) {
	if (l->left == 0) {
		if (l->whole > 0) {
			l->at = l->body;
			l->left = l->whole;
			l->whole = 0;
		} else {
			l->at = l->room + 64;
			l->left = l->last;
			l->last = 0;
		}
	}
	return l->left > 0;
}

SHA void end(lane* l) {
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL);
	__m128i feba = _mm_shuffle_epi32(l->abef, 0x1b), dchg = _mm_shuffle_epi32(l->cdgh, 0xb1);
	__m128i dcba = _mm_blend_epi16(feba, dchg, 0xf0), hgfe = _mm_alignr_epi8(dchg, feba, 8);
	_mm_storeu_si128((__m128i*)l->out, _mm_shuffle_epi8(dcba, swap));
	_mm_storeu_si128((__m128i*)(l->out + 16), _mm_shuffle_epi8(hgfe, swap));
}

SHA __m128i word4(const uint8_t* at, int i) {
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL);
	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i*)at + i), swap);
}

// Four rounds of one lane: w are the sixteen newest words, those of these rounds in
// w[i&3].
SHA void rounds(__m128i* abef, __m128i* cdgh, __m128i w, int i) {
	__m128i wk = _mm_add_epi32(w, _mm_loadu_si128((const __m128i*)k + i));
	*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, wk);
	*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

SHA __m128i schedule(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
	__m128i w = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
	return _mm_sha256msg2_epu32(w, w3);
}

// Both lanes take one block. The instructions of the one run while those of the other
// wait for their results.
__attribute__((target("sha,ssse3,sse4.1"))) static void both(lane* x, lane* y) {
	__m128i xa = x->abef, xc = x->cdgh, ya = y->abef, yc = y->cdgh;
	__m128i xw[4], yw[4];
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
		if (i < 4) {
			xw[i] = word4(x->at, i);
			yw[i] = word4(y->at, i);
		} else {
			xw[i & 3] = schedule(xw[i & 3], xw[(i + 1) & 3], xw[(i + 2) & 3], xw[(i + 3) & 3]);
			yw[i & 3] = schedule(yw[i & 3], yw[(i + 1) & 3], yw[(i + 2) & 3], yw[(i + 3) & 3]);
		}
		rounds(&xa, &xc, xw[i & 3], i);
		rounds(&ya, &yc, yw[i & 3], i);
	}
	x->abef = _mm_add_epi32(x->abef, xa);
	x->cdgh = _mm_add_epi32(x->cdgh, xc);
	y->abef = _mm_add_epi32(y->abef, ya);
	y->cdgh = _mm_add_epi32(y->cdgh, yc);
	x->at += 64, y->at += 64;
	x->left--, y->left--;
}

// sum_all hashes messages, two at a time. Heads and bodies stand one behind the other;
// a head that is the only one is every message's, and so is a size.
SHA void sum_all(const uint8_t* heads, size_t head_size, size_t head_step, const uint8_t* bodies, const uint32_t* sizes, size_t size_step, size_t count, uint8_t* out) {
	static const uint8_t nothing[64];
	uint8_t unused[32];
	lane lanes[2];
	size_t next = 0, running = 0;
	for (int i = 0; i < 2; i++) lanes[i].left = lanes[i].whole = lanes[i].last = 0, lanes[i].out = unused;
	for (;;) {
		for (int i = 0; i < 2; i++) {
			lane* l = &lanes[i];
			if (more(l)) continue;
			if (l->out != unused) {
				end(l);
				running--;
			}
			if (next < count) {
				begin(l, heads, head_size, bodies, *sizes, out + 32 * next);
				heads += head_step;
				bodies += *sizes;
				sizes += size_step;
				next++;
				running++;
			} else {
				begin(l, nothing, 0, nothing, 0, unused);
			}
		}
		if (running == 0) return;
		uint32_t n = lanes[0].left < lanes[1].left ? lanes[0].left : lanes[1].left;
		while (n-- > 0) both(&lanes[0], &lanes[1]);
	}
}

__attribute__((target("sha,ssse3,sse4.1"))) static void sum_messages(const uint8_t* heads, size_t head_size, size_t head_step, const uint8_t* bodies, const uint32_t* sizes, size_t size_step, size_t count, uint8_t* out) {
	sum_all(heads, head_size, head_step, bodies, sizes, size_step, count, out);
}
*/
import "C"

import "unsafe"

// lanes says that this processor has instructions for SHA-256.
var lanes = C.has_sha() != 0

// sumLanes hashes the messages. It panics if there are fewer octets of them than are said
// to be there.
func sumLanes(m *messages, out []Hash) {
	m.check(len(out))
	var headStep, sizeStep C.size_t
	if len(m.heads) > m.headSize {
		headStep = C.size_t(m.headSize)
	}
	if len(m.sizes) > 1 {
		sizeStep = 1
	}
	C.sum_messages((*C.uint8_t)(unsafe.SliceData(m.heads)), C.size_t(m.headSize), headStep, (*C.uint8_t)(unsafe.SliceData(m.bodies)),
		(*C.uint32_t)(unsafe.Pointer(&m.sizes[0])), sizeStep, C.size_t(len(out)), (*C.uint8_t)(unsafe.Pointer(&out[0])))
}
