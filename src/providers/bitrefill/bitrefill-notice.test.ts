import { expect, it } from 'vitest';
import { readNotice } from './bitrefill-notice.ts';

const id = '5ce472b9950b353c59bcd412';

it('says which order to read and nothing else', () => {
  const body = JSON.stringify({
    id,
    status: 'success',
    price: 1,
    thorInfo: { k1: '00'.repeat(32), lnurl: 'lightning:lnurl1evil', link: 'https://evil.example' },
  });
  expect(readNotice(body)).toEqual({ about: 'order', upstreamOrderId: id });
});
it.each(['', '{', 'null', '[]', '"5ce472b9950b353c59bcd412"', '{}', '{"id":5}', '{"id":"../order"}', `{"id":"${id}0"}`, `{"id":{"$ne":1}}`])(
  '%j is about nothing known',
  (body) => expect(readNotice(body)).toEqual({ about: 'unknown' }),
);
