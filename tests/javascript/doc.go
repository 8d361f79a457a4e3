// Package javascript has a second implementation read what the contract keeps:
// Stellar's JavaScript SDK. All it has are tests.
package javascript
