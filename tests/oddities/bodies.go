package oddities

import "strings"

// framing are odd lengths.
func framing() []Response {
	return []Response{
		closed("ended by close", okLine+"\r\nuntil the end"),
		closed("ended by close, empty", okLine+"\r\n"),
		closed("ended by close, connection close", okLine+"connection: close\r\ncontent-type: text/plain\r\n\r\nuntil the end"),
		closed("ended by close, keep-alive", okLine+"connection: keep-alive\r\n\r\nuntil the end"),
		closed("ended by close, 404", "HTTP/1.1 404 Not Found\r\n\r\nuntil the end"),
		closed("HTTP/1.0 ended by close", "HTTP/1.0 200 OK\r\n\r\nuntil the end"),
		closed("HTTP/1.0 ended by close, empty", "HTTP/1.0 200 OK\r\nx-a: 1\r\n\r\n"),
		closed("HTTP/1.0 with a content-length", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"),
		whole("HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok"),
		closed("HTTP/1.0 chunked", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
		whole("content-length with zeros in front", okLine+"content-length: 0002\r\n\r\nok"),
		whole("content-length in white space", okLine+"content-length: \t 2 \t\r\n\r\nok"),
		closed("octets after the body", okLine+"content-length: 2\r\n\r\nokEXTRA"),
		closed("a second response after the body", okLine+"content-length: 2\r\n\r\nok"+okLine+"content-length: 2\r\n\r\nno"),
		broken("content-length twice", okLine+"content-length: 2\r\ncontent-length: 2\r\n\r\nok"),
		broken("content-length twice, different", okLine+"content-length: 2\r\ncontent-length: 3\r\n\r\nok"),
		broken("content-length as a list", okLine+"content-length: 2, 2\r\n\r\nok"),
		broken("content-length with a sign", okLine+"content-length: +2\r\n\r\nok"),
		broken("content-length negative", okLine+"content-length: -2\r\n\r\nok"),
		broken("content-length in hex", okLine+"content-length: 0x2\r\n\r\nok"),
		broken("content-length empty", okLine+"content-length:\r\n\r\nok"),
		broken("content-length with a letter", okLine+"content-length: 2a\r\n\r\nok"),
		broken("content-length above 64 bits", okLine+"content-length: 99999999999999999999\r\n\r\nok"),
		broken("shorter than its content-length", okLine+"content-length: 5\r\n\r\nok"),
		broken("content-length and transfer-encoding", okLine+"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
		broken("transfer-encoding and content-length", okLine+"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
		broken("transfer-encoding gzip and chunked", okLine+"transfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
		broken("transfer-encoding identity", okLine+"transfer-encoding: identity\r\n\r\nok"),
		broken("transfer-encoding twice", okLine+"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
		broken("transfer-encoding empty", okLine+"transfer-encoding:\r\n\r\nok"),
		whole("transfer-encoding in capitals", okLine+"TRANSFER-ENCODING: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
		whole("transfer-encoding in white space", okLine+"transfer-encoding: \t chunked \r\n\r\n2\r\nok\r\n0\r\n\r\n"),
	}
}

// chunks are odd chunked bodies.
func chunks() []Response {
	return []Response{
		chunked("one chunk", "2\r\nok\r\n0\r\n\r\n"),
		chunked("no chunk", "0\r\n\r\n"),
		chunked("many chunks", strings.Repeat("1\r\na\r\n", 300)+"0\r\n\r\n"),
		chunked("size in capital hex", "A\r\n0123456789\r\n0\r\n\r\n"),
		chunked("size in small hex", "a\r\n0123456789\r\n0\r\n\r\n"),
		chunked("size with zeros in front", "0002\r\nok\r\n0000\r\n\r\n"),
		chunked("size with an extension", "2;a=b;c=\"d\"\r\nok\r\n0;e\r\n\r\n"),
		chunked("size with white space after it", "2 \r\nok\r\n0\r\n\r\n"),
		chunked("CR and LF within a chunk", "6\r\n\r\n0\r\n\r\r\n0\r\n\r\n"),
		brokenChunks("size missing", "\r\nok\r\n0\r\n\r\n"),
		brokenChunks("size with white space before it", " 2\r\nok\r\n0\r\n\r\n"),
		brokenChunks("size with a sign", "+2\r\nok\r\n0\r\n\r\n"),
		brokenChunks("size with a prefix", "0x2\r\nok\r\n0\r\n\r\n"),
		brokenChunks("size that is no number", "zz\r\nok\r\n0\r\n\r\n"),
		brokenChunks("size above 64 bits", "fffffffffffffffff\r\nok\r\n0\r\n\r\n"),
		chunked("longer than its size", "2\r\nokXX\r\n0\r\n\r\n"),
		brokenChunks("lines ended by LF alone", "2\nok\n0\n\n"),
		brokenChunks("closed within a size", "2"),
		brokenChunks("closed within a chunk", "5\r\nok"),
		brokenChunks("closed after a chunk", "2\r\nok\r\n"),
		brokenChunks("closed before the last empty line", "2\r\nok\r\n0\r\n"),
	}
}

// trailers are odd trailer sections.
func trailers() []Response {
	return []Response{
		chunked("a trailer", "2\r\nok\r\n0\r\nx-t: 1\r\n\r\n"),
		chunked("a trailer without a body", "0\r\nx-t: 1\r\n\r\n"),
		chunked("trailers in capitals and twice", "2\r\nok\r\n0\r\nX-T: 1\r\nx-u: 2\r\nx-t: 3\r\n\r\n"),
		chunked("a trailer without a value", "2\r\nok\r\n0\r\nx-t:\r\n\r\n"),
		chunked("a trailer in white space", "2\r\nok\r\n0\r\nx-t: \t a b \t\r\n\r\n"),
		chunked("trailers of gRPC", "2\r\nok\r\n0\r\ngrpc-status: 0\r\ngrpc-message: fine\r\n\r\n"),
		chunked("trailers of gRPC, twice", "2\r\nok\r\n0\r\ngrpc-status: 0\r\ngrpc-status: 1\r\n\r\n"),
		chunked("trailers that Envoy joins in headers", "2\r\nok\r\n0\r\ncontent-type: a\r\netag: b\r\ncontent-type: c\r\netag: d\r\n\r\n"),
		chunked("trailers of an ignored name", "2\r\nok\r\n0\r\ndate: today\r\nx-request-id: 7\r\nx-t: 1\r\n\r\n"),
		chunked("trailers of one hop", "2\r\nok\r\n0\r\nconnection: close, x-t\r\nkeep-alive: 5\r\nx-t: 1\r\nte: a\r\n\r\n"),
		chunked("framing in trailers", "2\r\nok\r\n0\r\ncontent-length: 9\r\ntransfer-encoding: gzip\r\nx-t: 1\r\n\r\n"),
		chunked("a folded trailer", "2\r\nok\r\n0\r\nx-t: a\r\n b\r\n\r\n"),
		whole("announced trailers", okLine+"transfer-encoding: chunked\r\ntrailer: x-t, x-u\r\n\r\n2\r\nok\r\n0\r\nx-t: 1\r\n\r\n"),
		brokenChunks("a trailer without a colon", "2\r\nok\r\n0\r\nx-t\r\n\r\n"),
		brokenChunks("a trailer with a bad name", "2\r\nok\r\n0\r\nx(t: 1\r\n\r\n"),
		brokenChunks("a trailer with a control character", "2\r\nok\r\n0\r\nx-t: a\x01b\r\n\r\n"),
		brokenChunks("closed within the trailers", "2\r\nok\r\n0\r\nx-t: 1\r\n"),
	}
}
