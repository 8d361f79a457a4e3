package oddities

import "fmt"

// statusLines are odd first lines.
func statusLines() []Response {
	rest := "\r\ncontent-length: 2\r\n\r\nok"
	list := []Response{
		whole("status line without reason", "HTTP/1.1 200"+rest),
		whole("status line with empty reason", "HTTP/1.1 200 "+rest),
		whole("status line with a long reason", "HTTP/1.1 200 all is well, thank you: 1/1"+rest),
		whole("status line with octets above 127 in the reason", "HTTP/1.1 200 \xc3\x96K\xff"+rest),
		whole("two spaces before the status", "HTTP/1.1  200 OK"+rest),
		whole("two spaces after the status", "HTTP/1.1 200  OK"+rest),
		whole("a tab before the status", "HTTP/1.1\t200 OK"+rest),
		whole("a tab after the status", "HTTP/1.1 200\tOK"+rest),
		whole("white space at the end of the status line", "HTTP/1.1 200 OK \t"+rest),
		closed("version 1.0", "HTTP/1.0 200 OK"+rest),
		closed("version 1.2", "HTTP/1.2 200 OK"+rest),
		closed("version 2.0", "HTTP/2.0 200 OK"+rest),
		closed("version 0.9", "HTTP/0.9 200 OK"+rest),
		broken("version in small letters", "http/1.1 200 OK"+rest),
		broken("version of another protocol", "RTSP/1.0 200 OK"+rest),
		broken("version with two digits", "HTTP/1.10 200 OK"+rest),
		broken("version without a point", "HTTP/11 200 OK"+rest),
		broken("no version", "200 OK"+rest),
		broken("status with two digits", "HTTP/1.1 20 OK"+rest),
		whole("status with four digits", "HTTP/1.1 2000 OK"+rest),
		broken("status below 100", "HTTP/1.1 099 OK"+rest),
		broken("status with a letter", "HTTP/1.1 2x0 OK"+rest),
		broken("status and reason in one word", "HTTP/1.1 200OK"+rest),
		broken("negative status", "HTTP/1.1 -20 OK"+rest),
		broken("no status", "HTTP/1.1"+rest),
		broken("an empty line first", "\r\nHTTP/1.1 200 OK"+rest),
		broken("white space first", " HTTP/1.1 200 OK"+rest),
		broken("not HTTP at all", "garbage\r\n\r\n"),
		broken("closed without a word", ""),
		broken("closed within the status line", "HTTP/1.1 20"),
		broken("closed within the headers", "HTTP/1.1 200 OK\r\nx-a: 1\r\n"),
	}
	for _, status := range []int{200, 201, 202, 203, 205, 206, 207, 226, 300, 301, 302, 303, 307, 308, 400, 401, 402, 404, 409, 418, 422, 429, 451, 500, 502, 503, 504, 599, 600, 700, 999} {
		list = append(list, whole(fmt.Sprintf("status %d", status), fmt.Sprintf("HTTP/1.1 %d Odd%s", status, rest)))
	}
	return list
}

// informational are responses with 1xx before them.
func informational() []Response {
	final := okLine + "content-length: 2\r\n\r\nok"
	return []Response{
		whole("100 before the response", "HTTP/1.1 100 Continue\r\n\r\n"+final),
		whole("100 with headers", "HTTP/1.1 100 Continue\r\nx-a: 1\r\n\r\n"+final),
		whole("102 before the response", "HTTP/1.1 102 Processing\r\n\r\n"+final),
		whole("103 with links", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nlink: </b>\r\n\r\n"+final),
		whole("199 before the response", "HTTP/1.1 199 Odd\r\n\r\n"+final),
		whole("100 twice and 103", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"+final),
		whole("100 with content-length 0", "HTTP/1.1 100 Continue\r\ncontent-length: 0\r\n\r\n"+final),
		broken("100 with a content-length", "HTTP/1.1 100 Continue\r\ncontent-length: 2\r\n\r\n"+final),
		broken("100 with a transfer-encoding", "HTTP/1.1 100 Continue\r\ntransfer-encoding: chunked\r\n\r\n"+final),
		broken("100 and nothing else", "HTTP/1.1 100 Continue\r\n\r\n"),
		closed("101 as a response", "HTTP/1.1 101 Switching Protocols\r\nx-a: 1\r\n\r\n"),
		closed("101 with octets after it", "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: odd\r\n\r\nodd"),
	}
}

// bodiless are responses that cannot have a body, whatever their headers say.
func bodiless() []Response {
	list := []Response{
		whole("204", "HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n"),
		whole("204 with content-length 0", "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nx-a: 1\r\n\r\n"),
		broken("204 with a content-length", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n"),
		broken("204 with content-length 00", "HTTP/1.1 204 No Content\r\ncontent-length: 00\r\n\r\n"),
		broken("204 with a transfer-encoding", "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
		whole("304", "HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\n\r\n"),
		whole("304 with a content-length", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\netag: \"x\"\r\n\r\n"),
		whole("304 with a transfer-encoding", "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n"),
		whole("205 with content-length 0", "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n"),
		closed("205 without a length", "HTTP/1.1 205 Reset Content\r\n\r\n"),
		whole("200 with content-length 0", okLine+"content-length: 0\r\nx-a: 1\r\n\r\n"),
		whole("200 with content-length 000", okLine+"content-length: 000\r\n\r\n"),
		closed("200 with content-length 0 and connection close", okLine+"connection: close\r\ncontent-length: 0\r\n\r\n"),
	}
	for _, head := range []struct{ name, raw string }{
		{"HEAD with a content-length", okLine + "content-length: 5\r\n\r\n"},
		{"HEAD with content-length 0", okLine + "content-length: 0\r\n\r\n"},
		{"HEAD without a length", okLine + "x-a: 1\r\n\r\n"},
		{"HEAD with a transfer-encoding", okLine + "transfer-encoding: chunked\r\n\r\n"},
		{"HEAD with 404", "HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\n"},
		{"HEAD with 204", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"HEAD with 304", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"},
		{"HEAD with 100 before it", "HTTP/1.1 100 Continue\r\n\r\n" + okLine + "content-length: 5\r\n\r\n"},
	} {
		r := whole(head.name, head.raw)
		r.RequestMethod = "HEAD"
		list = append(list, r)
	}
	return list
}
