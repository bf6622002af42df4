/** The LNURL of a sale: LNURL-pay (LUD-06) without a comment, the same for every sale of a user to one IBAN and currency. */
import type { Books, Route } from './dfx.simulator-books.ts';
import { lnurlLimits, newInvoice } from './dfx.simulator-orders.ts';

const error = (reason: string): Response => Response.json({ status: 'ERROR', reason });
const routeOf = ({ routes }: Books, id: string): Route | undefined => routes.find(({ ramp, lnurlId }) => ramp === 'sell' && lnurlId === id);

export const payRequest = (books: Books, id: string): Response =>
  routeOf(books, id)
    ? Response.json({
        tag: 'payRequest',
        callback: `${books.origin()}/v1/lnurlp/${id}/callback`,
        minSendable: lnurlLimits.least * 1000,
        maxSendable: lnurlLimits.most * 1000,
        metadata: JSON.stringify([['text/plain', 'DFX sale']]),
      })
    : error('no such address');

export const payCallback = (books: Books, id: string, amount: string | undefined): Response => {
  const route = routeOf(books, id);
  const msat = /^\d{1,15}$/.test(amount ?? '') ? Number(amount) : 0;
  const isTaken = msat >= lnurlLimits.least * 1000 && msat <= lnurlLimits.most * 1000 && msat % 1000 === 0;
  return route && isTaken ? Response.json({ pr: newInvoice(books, route, msat / 1000), routes: [] }) : error('this amount cannot be received');
};
