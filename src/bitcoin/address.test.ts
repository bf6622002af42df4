import fc from 'fast-check';
import { expect, test } from 'vitest';
import vectors from './__fixtures__/addresses.json' with { type: 'json' };
import { bitcoinUri, checkPayoutAddress, type BitcoinNetwork } from './address.ts';

const NETWORK_OF: Record<string, BitcoinNetwork> = { main: 'main', testnet: 'test', signet: 'signet', regtest: 'regtest' };
const network = (chain: string): BitcoinNetwork => NETWORK_OF[chain]!;
const NOT_AN_ADDRESS = { problem: 'This is not a bitcoin address, or it has a typo.' };
const UNKNOWN_KIND = { problem: 'This kind of address is not supported yet; coins sent to it could be lost.' };
const NO_SUCH_KEY = { problem: 'The key in this taproot address is not valid; coins sent to the address would be lost.' };

/** Case carries no meaning in bech32. */
const asKept = (address: string): string => (/^(?:BC|TB|BCRT)1/.test(address) ? address.toLowerCase() : address);

test.each(vectors.valid)('$chain $type $address: $payout', ({ address, chain, type, payout }) => {
  const refused = type === 'p2tr' ? NO_SUCH_KEY : UNKNOWN_KIND;
  expect(checkPayoutAddress(address, network(chain))).toEqual(payout === 'accept' ? { address: asKept(address) } : refused);
});

test('the same bech32 address in capitals, as QR codes carry it, is the same address', () => {
  const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
  expect(checkPayoutAddress(address.toUpperCase(), 'regtest')).toEqual({ address });
  expect(checkPayoutAddress(`BITCOIN:${address.toUpperCase()}?AMOUNT=1`, 'regtest')).toEqual({ address });
});

test.each(vectors.invalid)('"$address" is refused: $reason', ({ address }) => {
  expect(checkPayoutAddress(address, 'main')).toEqual(NOT_AN_ADDRESS);
  expect(checkPayoutAddress(address, 'test')).toEqual(NOT_AN_ADDRESS);
});

test.each(vectors.bip21)('$input', ({ input, address }) => {
  expect(checkPayoutAddress(input, 'main')).toEqual({ address: asKept(address) });
  expect(checkPayoutAddress(input.replace('bitcoin:', 'BITCOIN:'), 'main')).toEqual({ address: asKept(address) });
});

test.each(vectors.wrong_network)('$address is not of $configured', ({ configured, address }) => {
  expect(checkPayoutAddress(address, network(configured))).toEqual({ problem: `This address does not belong to the network "${network(configured)}".` });
});

test('base58 of the test networks is shared by all of them, bech32 is not by regtest', () => {
  const names: BitcoinNetwork[] = ['main', 'test', 'signet', 'regtest'];
  const takenBy = (address: string): BitcoinNetwork[] => names.filter((name) => 'address' in checkPayoutAddress(address, name));
  expect(takenBy('mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hZ')).toEqual(['test', 'signet', 'regtest']);
  expect(takenBy('tb1q3vya2h5435jkugq2few7dmktlrwq4ejmfaw7kr')).toEqual(['test', 'signet']);
  expect(takenBy('bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9')).toEqual(['regtest']);
  expect(takenBy('1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo')).toEqual(['main']);
});

test.each([
  'bitcoin:',
  'bitcoin:?lno=abc',
  'bitcoin://bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj',
  ' bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj',
  '1'.repeat(5000),
])('%.60s is refused', (text) => expect(checkPayoutAddress(text, 'main')).toEqual(NOT_AN_ADDRESS));

test.each([
  'req-cosigner=1',
  'amount=1&req-x=',
  'REQ-x=1',
  '%72eq-x=1',
  'amount=1&amp;req-x=1',

  'label=a&req-somethingyoudontunderstand=50',
])('a demand that nobody understands makes the whole link invalid: %s (BIP21)', (query) => {
  const refused = { problem: expect.stringContaining('req-') as string };
  expect(checkPayoutAddress(`bitcoin:bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj?${query}`, 'main')).toEqual(refused);
  expect(checkPayoutAddress(`BITCOIN:BC1QCMU7KCWRNDYKE09ZZYL0WV3DQXWLZQKMA248KJ?${query}`, 'main')).toEqual(refused);
});

test.each([
  [undefined, 'bitcoin:x'],
  [1n, 'bitcoin:x?amount=0.00000001'],
  [1_100n, 'bitcoin:x?amount=0.000011'],
  [250_000n, 'bitcoin:x?amount=0.0025'],
  [100_000_000n, 'bitcoin:x?amount=1'],
  [1_050_000_000n, 'bitcoin:x?amount=10.5'],
  [1_000_000_000n, 'bitcoin:x?amount=10'],
])('%d sats in a URI', (amountSats, uri) => expect(bitcoinUri('x', amountSats)).toBe(uri));

test('a required parameter is found anywhere and in any spelling, and others are not taken for one', () => {
  const address = 'bc1qcmu7kcwrndyke09zzyl0wv3dqxwlzqkma248kj';
  const encoded = (name: string): fc.Arbitrary<string> =>
    fc
      .array(fc.constantFrom('plain', 'capital', 'percent'), { minLength: name.length, maxLength: name.length })
      .map((ways) =>
        [...name].map((one, i) => (ways[i] === 'percent' ? `%${one.charCodeAt(0).toString(16)}` : ways[i] === 'capital' ? one.toUpperCase() : one)).join(''),
      );
  const harmless = fc.constantFrom('amount=1', 'label=req', 'message=a%20req-b', 'lno=x', 'pj=https://a.example/?req-x=1', 'req=1', 'required-x=1', '');
  const between = fc.constantFrom('&', '&&', '&amp;');
  const demand = fc.constantFrom('req-cosigner', 'req-', 'req-x').chain(encoded);
  const query = (list: fc.Arbitrary<string>) =>
    fc
      .tuple(fc.array(harmless, { maxLength: 3 }), list, fc.array(harmless, { maxLength: 3 }), between)
      .map(([before, one, after, sign]) => [...before, one, ...after].join(sign));
  fc.assert(fc.property(query(demand.map((name) => `${name}=1`)), (text) => 'problem' in checkPayoutAddress(`bitcoin:${address}?${text}`, 'main')));
  fc.assert(fc.property(query(harmless), (text) => 'address' in checkPayoutAddress(`BITCOIN:${address}?${text}`, 'main')));
});
