/** What others build on. The package's types are this file, as it stands: it imports nothing. */

/** Where the customer's orders are remembered: the `Store` of @ramp-gateway/client. */
export type RampBuyStore = {
  get: (key: string) => string | null | undefined | Promise<string | null | undefined>;
  set: (key: string, value: string) => unknown;
  replace?: (key: string, was: string | undefined, value: string) => boolean | Promise<boolean>;
};

/** `<ramp-buy>`. Its properties are attributes, too (`returnTo` is `return-to`), except `store`. All are optional. */
export type RampBuyElement = HTMLElement & {
  /** The gateway's address, as in "https://ramp.wallet.example"; else this page's own. */
  gateway: string | null;
  /** Decimal text to begin with, as in "100". */
  amount: string | null;
  /** ISO 4217, as in "EUR". */
  currency: string | null;
  /** A way to pay, as the gateway names it: "SEPA". */
  by: string | null;
  /** "light" or "dark"; else the system's. */
  theme: string | null;
  /** Where a link takes the customer in the end, with `order_id` and `stage` added to its query: an address, an app's own scheme included. */
  returnTo: string | null;
  /** Instead of this browser's localStorage. Set it before the element is in the page. */
  store: RampBuyStore | undefined;
};

/** Amounts are texts like "100.00 EUR" and "107869 sat". No secret is in it: not how to pay, and not the link that pays out. */
export type RampBuyNews =
  | { name: 'offer'; detail: { offers: number; provider?: string; pays?: string; gets?: string } }
  | { name: 'ordered' | 'filled' | 'finished'; detail: { orderId: string; stage: string; provider: string; pays?: string; gets?: string } }
  /** `code` and `action` are the gateway's (docs/errors.md), or `unreachable`; `message` is in English. */
  | { name: 'error'; detail: { code: string; action: string; message: string; requestId?: string | undefined } };

declare global {
  interface HTMLElementTagNameMap {
    'ramp-buy': RampBuyElement;
  }
}
