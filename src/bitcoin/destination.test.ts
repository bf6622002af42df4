import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeInvoice } from './bolt11.ts';
import { destinationName, destinationNames, readDestination, type DestinationKind } from './destination.ts';
import { encodeLnurl } from './lnurl.ts';
import { publicKeyOf } from './secp256k1.ts';

const read = (kind: DestinationKind, text: string) => readDestination(kind, text, 'regtest');
const url = 'https://pay.example/lnurlp/alice?x=1';
const pay = encodeLnurl(url);
const node = publicKeyOf('07'.repeat(32));

describe('one canonical form for what means the same', () => {
  it.each([
    ['alice@wallet.example', 'alice@wallet.example'],
    [' Alice@WALLET.example\n', 'alice@wallet.example'],
    ['lightning:alice@wallet.example', 'alice@wallet.example'],
    ['a.b_c-d+tag@xn--bcher-kva.example', 'a.b_c-d+tag@xn--bcher-kva.example'],
  ])('Lightning address %j', (text, value) => {
    const [name, host] = value.split('@');
    expect(read('lightning_address', text)).toEqual({ kind: 'lightning_address', value, calls: `https://${host}/.well-known/lnurlp/${name}` });
  });

  it.each([pay, pay.toLowerCase(), `lightning:${pay}`, `lnurlp:${pay}`, 'lnurlp://pay.example/lnurlp/alice?x=1', url])('LNURL %j', (text) => {
    expect(read('lnurl', text)).toEqual({ kind: 'lnurl', value: pay, calls: url });
  });

  it('a Lightning address and its LNURL have one name, and nothing else has it', () => {
    const nameOf = (kind: DestinationKind, text: string): string => {
      const made = read(kind, text);
      return 'problem' in made ? made.problem : destinationName(made);
    };
    const own = nameOf('lightning_address', 'Alice@Wallet.example');
    expect(own).toBe('lightning_address alice@wallet.example');
    const at = 'https://wallet.example/.well-known/lnurlp/alice';
    for (const text of [encodeLnurl(at), encodeLnurl(at).toLowerCase(), 'lnurlp://wallet.example/.well-known/lnurlp/alice', at.replace('wallet', 'WALLET')])
      expect(nameOf('lnurl', text)).toBe(own);
    for (const other of [`${at}?x=1`, `${at}/`, at.replace('alice', 'Alice'), at.replace('.example', '.example:8443'), url])
      expect(nameOf('lnurl', other)).toBe(`lnurl ${encodeLnurl(other)}`);
    expect(nameOf('lnurl', at.replace('/alice', '/bob'))).toBe('lightning_address bob@wallet.example');
    expect(nameOf('node_pubkey', node)).toBe(`node_pubkey ${node}`);
  });

  it('what the release before named in two ways has both names in either writing', () => {
    const at = encodeLnurl('https://wallet.example/.well-known/lnurlp/alice');
    const both = ['lightning_address alice@wallet.example', `lnurl ${at}`];
    expect(destinationNames({ kind: 'lightning_address', value: 'alice@wallet.example' })).toEqual(both);
    expect(destinationNames({ kind: 'lnurl', value: at })).toEqual(both);
    expect(destinationNames({ kind: 'lnurl', value: pay })).toEqual([`lnurl ${pay}`]);
    expect(destinationNames({ kind: 'node_pubkey', value: node })).toEqual([`node_pubkey ${node}`]);
  });

  it('a node key, an address', () => {
    expect(read('node_pubkey', ` ${node.toUpperCase()}`)).toEqual({ kind: 'node_pubkey', value: node });
    const value = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
    for (const text of [value, value.toUpperCase(), `bitcoin:${value}?label=x`]) expect(read('onchain', text)).toEqual({ kind: 'onchain', value });
  });

  it('an invoice, with its facts', () => {
    const value = encodeInvoice({
      network: 'regtest',
      timestamp: 1_795_000_000,
      paymentHash: randomBytes(32).toString('hex'),
      paymentSecret: randomBytes(32).toString('hex'),
      description: '',
      payeePrivateKey: '07'.repeat(32),
    });
    for (const text of [value, value.toUpperCase(), `lightning:${value}`])
      expect(read('invoice', text)).toMatchObject({ kind: 'invoice', value, invoice: { network: 'regtest', payee: node } });
    expect(readDestination('invoice', value, 'main')).toEqual({ problem: 'This invoice does not belong to the network "main".' });
  });
});

it.each([
  ['lightning_address', ''],
  ['lightning_address', 'alice'],
  ['lightning_address', 'alice@wallet'],
  ['lightning_address', 'alice@wallet..example'],
  ['lightning_address', 'alice@-wallet.example'],
  ['lightning_address', 'alice@wallet.example:8080'],
  ['lightning_address', 'alice@wallet.example/x'],
  ['lightning_address', 'al ice@wallet.example'],
  ['lightning_address', 'älice@wallet.example'],
  ['lightning_address', 'alice@bücher.example'],
  ['lightning_address', `${'a'.repeat(65)}@wallet.example`],
  ['lnurl', 'LNURL1DP68'],
  ['lnurl', 'lnurlw://pay.example/x'],
  ['lnurl', encodeLnurl('http://pay.example/x')],
  ['lnurl', encodeLnurl('https://alice:secret@pay.example/x')],
  ['lnurl', encodeLnurl('https://pay.example/x?tag=withdrawRequest')],
  ['lnurl', encodeLnurl('https://pay.example/x?tag=login')],
  ['lnurl', encodeLnurl('https://pay.example/x?tag=channelRequest')],
  ['invoice', 'lnbcrt1'],
  ['node_pubkey', node.slice(2)],
  ['node_pubkey', `04${node.slice(2)}`],
  ['node_pubkey', `02${'ff'.repeat(32)}`],
  ['onchain', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
  ['onchain', 'alice@wallet.example'],
] as const)('is not a %s: %j', (kind, text) => {
  expect(read(kind, text)).toEqual({ problem: expect.any(String) as string });
});
