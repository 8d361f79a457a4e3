package secret

import (
	"slices"
	"strings"
	"unicode"
)

// Words that names of credentials have: a word of the name ends with one of them, as in
// "x-vault-token", "accessToken", "client_secret".
var words = []string{
	"apikey", "authorization", "cookie", "credential", "credentials", "jwt", "passphrase", "passwd", "password", "pwd", "secret", "token",
}

// keys are what a key that lets somebody in is named for, as in "dd-api-key". Others,
// as "idempotency-key" or "sec-websocket-key", are none.
var keys = []string{
	"access", "account", "api", "app", "application", "auth", "functions", "ingest", "ingestion", "insert", "license", "master", "private",
	"secret", "session", "shared", "signing", "subscription", "write",
}

// headers carry credentials and don't say so.
var headers = []string{"x-amzn-oidc-data", "x-forwarded-client-cert", "x-honeycomb-team"}

// signatures let in whoever has the URL that they are in. In a header they sign one
// request, and stay visible.
var signatures = []string{"sig", "signature"}

// Header says whether values of this header are secret. Case does not matter.
func Header(name string) bool {
	return credential(wordsOf(name)) || slices.Contains(headers, strings.ToLower(name))
}

// parameter is the same of a URL's parameter.
func parameter(name string) bool {
	list := wordsOf(name)
	return credential(list) || len(list) > 0 && slices.Contains(signatures, list[len(list)-1])
}

func credential(list []string) bool {
	for i, word := range list {
		if slices.ContainsFunc(words, func(end string) bool { return strings.HasSuffix(word, end) }) {
			return true
		}
		if i > 0 && word == "key" && slices.Contains(keys, list[i-1]) {
			return true
		}
	}
	return false
}

// wordsOf are a name's words, in lower case: what stands between other characters than
// letters and digits, and what begins with a capital behind a small letter.
func wordsOf(name string) []string {
	var b strings.Builder
	small := false
	for _, r := range name {
		if small && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
