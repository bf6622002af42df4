import { expect, it } from 'vitest';
import { withOwnLinks } from './own-links.ts';
import { showPayment } from './show-payment.ts';

const bank = { provider_iban: 'DE89370400440532013000', provider_name: 'Lindenpay GmbH' };
const shown = (paymentDetails: Record<string, string>) => {
  const payment = showPayment({ kind: 'fiat', paymentDetails }, { pay: 10_000n, currency: 'EUR' });
  if (payment === undefined || 'kind' in payment) throw new Error('no bank details');
  return { reference: payment.payment_details?.['provider_reference'], lastLine: payment.epc_qr?.split('\n')[10] };
};

it.each<[Record<string, string>, string]>([
  [{ transfer_preference: 'instant', provider_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ reference_type: 'unstructured', payment_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ customer_reference: 'user 4411', payment_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ provider_reference: '  ', payment_reference: 'LP-77Q2' }, 'LP-77Q2'],
])('the reference of %j stands in the details and in the code', (more, reference) => {
  expect(shown({ ...more, ...bank })).toEqual({ reference, lastLine: reference });
});

it('if two keys could be the reference, neither is chosen and there is no QR code', () => {
  const payment = showPayment({ kind: 'fiat', paymentDetails: { ...bank, order_reference: 'A', booking_reference: 'B' } }, { pay: 1n, currency: 'EUR' });
  expect(payment).toEqual({ payment_details: { ...bank, order_reference: 'A', booking_reference: 'B' } });
});

it('a preferred name alone is not a reference', () => {
  expect(shown({ ...bank, transfer_preference: 'instant' })).toEqual({ reference: undefined, lastLine: undefined });
});

const own = (paymentUrl: string | undefined, paymentDetails?: Record<string, string>) =>
  withOwnLinks(
    { kind: 'fiat', ...(paymentUrl === undefined ? {} : { paymentUrl }), ...(paymentDetails ? { paymentDetails } : {}) },
    ['lindenpay.example'],
    false,
  );

it('links are shown in canonical form, texts without invisible characters', () => {
  expect(own('HTTPS://Pay.LindenPay.example', { checkout_url: 'https://lindenpay.example/a/../b', note: 'LP\u202e-77Q2\r\nnow', gone: '\u200b' })).toEqual({
    kind: 'fiat',
    paymentUrl: 'https://pay.lindenpay.example/',
    paymentDetails: { checkout_url: 'https://lindenpay.example/b', note: 'LP-77Q2 now' },
  });
});

it.each<[string | undefined, Record<string, string>]>([
  ['https://pay.lindenpay.example\\@evil.example/x', {}],
  ['https://pay.lindenpay.example/x', { checkout_url: 'javascript:alert(1)' }],
  ['https://pay.lindenpay.example/x', { payment_link: 'https://evil.example/' }],
  [undefined, { ...bank, payment_link: 'https://pay.lindenpay.example\\@evil.example/' }],
  [undefined, { ...bank, note: 'or pay at https://evil.example/' }],
  [undefined, { ...bank, 'https://evil.example/pay': 'faster' }],
  [undefined, { ...bank, 'details_pay at www.evil.example': 'faster' }],
  [undefined, { ...bank, 'bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4': '10 % less' }],
])('a foreign link at any place makes the whole untrusted: %j %j', (url, details) => expect(own(url, details)).toBeUndefined());
