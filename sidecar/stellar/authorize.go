package stellar

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/network"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// asked is whose authorization the server says an operation needs; nobody's if ok is
// false. What is to be authorized must be the operation and nothing else: the answer
// is only compared, it is never signed.
func (o Operation) asked(auth []xdr.SorobanAuthorizationEntry, source string) (address string, ok bool, err error) {
	switch {
	case len(auth) == 0:
		return "", false, nil
	case len(auth) > 1 || o.authorized == nil:
		return "", false, fmt.Errorf("%w: the contract asks for more than that %s be authorized", ErrNotAuthorized, o.name)
	}
	want, err := o.invocation().MarshalBinary()
	if err != nil {
		return "", false, fmt.Errorf("encode invocation: %w", err)
	}
	got, err := auth[0].RootInvocation.MarshalBinary()
	if err != nil {
		return "", false, fmt.Errorf("encode invocation: %w", err)
	}
	if !bytes.Equal(want, got) {
		return "", false, fmt.Errorf("%w: the contract asks for more than that %s be authorized", ErrNotAuthorized, o.name)
	}
	if address, err = authorizer(auth[0].Credentials, source); err != nil {
		return "", false, fmt.Errorf("%w: %w", ErrNotAuthorized, err)
	}
	return address, true, nil
}

func (o Operation) invocation() xdr.SorobanAuthorizedInvocation {
	return xdr.SorobanAuthorizedInvocation{Function: *o.authorized}
}

func authorizer(c xdr.SorobanCredentials, source string) (string, error) {
	switch c.Type {
	case xdr.SorobanCredentialsTypeSorobanCredentialsSourceAccount:
		return source, nil
	case xdr.SorobanCredentialsTypeSorobanCredentialsAddress:
		return addressText(c.Address.Address)
	case xdr.SorobanCredentialsTypeSorobanCredentialsAddressV2:
		return addressText(c.AddressV2.Address)
	}
	return "", fmt.Errorf("the contract asks for %s", c.Type)
}

// bySource is the authorization of the transaction's source account, whose signature
// of the transaction is enough.
func (o Operation) bySource() xdr.SorobanAuthorizationEntry {
	return xdr.SorobanAuthorizationEntry{
		Credentials:    xdr.SorobanCredentials{Type: xdr.SorobanCredentialsTypeSorobanCredentialsSourceAccount},
		RootInvocation: o.invocation(),
	}
}

// bySigner is the authorization of another account, which signs that one invocation
// of the operation. It is good until a ledger, and once.
func (o Operation) bySigner(ctx context.Context, s Signer, passphrase string, until uint32) (xdr.SorobanAuthorizationEntry, error) {
	var none xdr.SorobanAuthorizationEntry
	address, err := accountAddress(s.Address())
	if err != nil {
		return none, fmt.Errorf("writer: %w", err)
	}
	var nonce [8]byte
	_, _ = rand.Read(nonce[:]) // never fails
	c := xdr.SorobanAddressCredentials{
		Address: address, Nonce: xdr.Int64(binary.BigEndian.Uint64(nonce[:])), SignatureExpirationLedger: xdr.Uint32(until),
	}
	preimage, err := xdr.HashIdPreimage{
		Type: xdr.EnvelopeTypeEnvelopeTypeSorobanAuthorization,
		SorobanAuthorization: &xdr.HashIdPreimageSorobanAuthorization{
			NetworkId: network.ID(passphrase), Nonce: c.Nonce, SignatureExpirationLedger: c.SignatureExpirationLedger, Invocation: o.invocation(),
		},
	}.MarshalBinary()
	if err != nil {
		return none, fmt.Errorf("encode authorization: %w", err)
	}
	signature, err := sign(ctx, s, sha256.Sum256(preimage))
	if err != nil {
		return none, err
	}
	c.Signature = vecValue(mapValue(
		xdr.ScMapEntry{Key: symbolValue("public_key"), Val: bytesValue(address.AccountId.Ed25519[:])},
		xdr.ScMapEntry{Key: symbolValue("signature"), Val: bytesValue(signature)},
	))
	return xdr.SorobanAuthorizationEntry{
		Credentials:    xdr.SorobanCredentials{Type: xdr.SorobanCredentialsTypeSorobanCredentialsAddress, Address: &c},
		RootInvocation: o.invocation(),
	}, nil
}

// sign asks a signer, and checks that its signature is of its address.
func sign(ctx context.Context, s Signer, hash [32]byte) ([]byte, error) {
	public, err := keypair.ParseAddress(s.Address())
	if err != nil {
		return nil, fmt.Errorf("%w: signer's address %.60q is not an account's", ErrNotAuthorized, s.Address())
	}
	signature, err := s.Sign(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("%w: signer of %s: %w", ErrNotAuthorized, s.Address(), err)
	}
	if public.Verify(hash[:], signature) != nil {
		return nil, fmt.Errorf("%w: signer of %s: %w", ErrNotAuthorized, s.Address(), errors.New("its signature does not fit its address"))
	}
	return signature, nil
}
