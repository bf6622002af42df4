import { describe, expect, it, test } from 'vitest';
import { encodeLnurl } from '../../bitcoin/lnurl.ts';
import { addressOf, secretOf } from './dfx-identity.ts';

const key = 'an-operator-key-of-at-least-32-characters';
const node = '02e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad';

describe('the address of a destination', () => {
  const lnurl = encodeLnurl('https://wallet.example/.well-known/lnurlp/alice');
  it.each([
    ['node_pubkey', node, `LNNID${node.toUpperCase()}`],
    ['lightning_address', 'alice@wallet.example', lnurl],
    ['lnurl', lnurl, lnurl],
    ['lnurl', lnurl.toLowerCase(), lnurl],
  ] as const)('%s', (kind, value, address) => expect(addressOf({ kind, value })).toBe(address));
  it.each([
    ['invoice', 'lnbc1'],
    ['onchain', 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'],
    ['node_pubkey', '04'],
    ['lnurl', `lnurl1${'q'.repeat(260)}`],
    ['lightning_address', 'alice'],
  ] as const)('%s that DFX cannot pay to has none', (kind, value) => expect(addressOf({ kind, value })).toBeUndefined());
});

describe('the secret', () => {
  const address = `LNNID${node.toUpperCase()}`;
  test('of this key and address is this one for ever', () => {
    expect(secretOf(key, address)).toBe(
      'hdhfk35f6p3wuht5k4un6yzxhwk1ud5v34vjcma71eh8nqm5quppjl0st3vaomx5shbmn30ys3g7axpgsfusnje05hawh0v05joottccruvfgxu4v1hm2yqrsk1gz19zxoh9u5l8o60l',
    );
  });
  it('has the form that DFX takes, and no two are alike', () => {
    const secrets = Array.from({ length: 200 }, (_, at) => secretOf(key, `${address}${at}`) ?? '');
    expect(secrets.filter((one) => !/^[a-z0-9]{140}$/.test(one))).toEqual([]);
    expect(new Set(secrets).size).toBe(200);
    expect(secretOf(`${key}!`, address)).not.toBe(secretOf(key, address));
  });
  it('needs a key that nobody can guess', () => expect(secretOf('short', address)).toBeUndefined());
});
