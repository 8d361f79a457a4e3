package forger

const (
	lastOfOld  = 303
	firstOfNew = 303
)

var forgeries []forgery
