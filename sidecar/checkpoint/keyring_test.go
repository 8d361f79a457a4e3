package checkpoint

import (
	"errors"
	"strings"
	"testing"
)

func TestKeyringLines(t *testing.T) {
	a, b := fixedKey(t, "a", 1).Public().String(), fixedKey(t, "b", 2).Public().String()
	for name, c := range map[string]struct{ text, want string }{
		"one":             {a, ""},
		"comments":        {"# keys\n\n  " + a + "\t# in force\n" + b + " from=10 until=20#old\r\n", ""},
		"bounds":          {a + " until=0\n" + b + " from=18446744073709551615", ""},
		"empty":           {"", "it has no key"},
		"comments alone":  {"# " + a, "it has no key"},
		"no key":          {a + "\nsomebody", `line 2: "somebody" is no verifier key`},
		"another's hash":  {strings.Replace(a, "a+", "b+", 1), "line 1: "},
		"unknown kind":    {"a+4acd21d4+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH", "line 1: "},
		"twice":           {a + "\n" + a + " from=5", "line 2: the key a+"},
		"word":            {a + " after=5", `line 1: "after=5" is not what may follow a key`},
		"no size":         {a + " from=", `"from="`},
		"negative":        {a + " from=-1", `"from=-1"`},
		"said twice":      {a + " from=1 from=2", `"from=2"`},
		"never":           {a + " from=2 until=1", "which is never"},
		"space before =":  {a + " from =1", `"from"`},
		"larger than all": {strings.Repeat("#", maxKeyring+1), "octets"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKeyring([]byte(c.text))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestWhichKeysVouchForANote(t *testing.T) {
	a, b, c := fixedKey(t, "a", 1), fixedKey(t, "b", 2), fixedKey(t, "c", 3)
	va, vb := a.Public().String(), b.Public().String()
	for name, test := range map[string]struct {
		ring    string
		keys    []*Key
		by      string // the names of good keys
		retired bool
		want    string
	}{
		"in force":         {ring: va, keys: []*Key{a}, by: "a"},
		"at both bounds":   {ring: va + " from=3000 until=3000", keys: []*Key{a}, by: "a"},
		"overlap":          {ring: va + "\n" + vb, keys: []*Key{a, b}, by: "ab"},
		"one of two":       {ring: va + "\n" + vb, keys: []*Key{b}, by: "b"},
		"with a stranger":  {ring: va, keys: []*Key{c, a}, by: "a"},
		"old one retired":  {ring: va + " until=2999\n" + vb, keys: []*Key{a, b}, by: "b"},
		"retired":          {ring: va + " until=2999\n" + vb, keys: []*Key{a}, retired: true, want: "retired at size 2999; its size is 3000"},
		"not yet in force": {ring: va + " from=3001\n" + vb, keys: []*Key{a}, want: "good from size 3001 on"},
		"unknown":          {ring: va, keys: []*Key{c}, want: "no key of the keyring signed it; it names c+"},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := Parse(sign(t, golden, test.keys...))
			if err != nil {
				t.Fatal(err)
			}
			by, err := ring(t, test.ring).Check(n)
			names := ""
			for _, id := range by {
				names += id.Name
			}
			if names != test.by {
				t.Errorf("vouched for by %q, want %q", names, test.by)
			}
			var bad *RingError
			if test.by == "" && (!errors.As(err, &bad) || bad.Retired != test.retired || !strings.Contains(bad.Text, test.want)) {
				t.Errorf("%+v, want %q", err, test.want)
			}
		})
	}
}

// A forger's key can have the name and the id of a known one, never its signature.
func TestAKeyWithTheSameIDIsNotTheSame(t *testing.T) {
	a := fixedKey(t, "a", 1)
	other := golden
	other.EntryHash[0] ^= 1
	_, sigs, _ := strings.Cut(string(sign(t, other, a)), "\n\n")
	n, err := Parse([]byte(golden.Text() + "\n" + sigs))
	if err != nil {
		t.Fatal(err)
	}
	for _, lines := range []string{a.Public().String(), a.Public().String() + " until=1"} {
		if by, err := ring(t, lines).Check(n); err == nil || !strings.Contains(err.Error(), "is not good") {
			t.Errorf("%v, %v", by, err)
		}
	}
}

func FuzzParseKeyring(f *testing.F) {
	f.Add("log.example/a+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k from=1 until=2 # x\n")
	f.Add("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n#\n")
	f.Add("a+00000000+AQ== from=\x00")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseKeyring([]byte(text))
		if err != nil {
			if err.Error() == "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one line: %q", err)
			}
			return
		}
		if len(r.keys) == 0 {
			t.Error("a keyring without keys")
		}
		for _, k := range r.keys {
			if k.from > k.until {
				t.Errorf("%+v is never good", k)
			}
		}
	})
}
