/** The public types. The package ships this file unchanged as its types, so it must not import anything. */

/** Where the customer's orders are remembered: the `Store` of @ramp-gateway/client. */
export type RampBuyStore = {
  get: (key: string) => string | null | undefined | Promise<string | null | undefined>;
  set: (key: string, value: string) => unknown;
  replace?: (key: string, was: string | undefined, value: string) => boolean | Promise<boolean>;
};

/** `<ramp-buy>`. Its properties are attributes, too (`returnTo` is `return-to`), except `store`. All are optional. */
export type RampBuyElement = HTMLElement & {
  /** The gateway's address, as in "https://ramp.wallet.example". Default: this page's own origin. */
  gateway: string | null;
  /** The amount to begin with, as a decimal string: "100". */
  amount: string | null;
  /** ISO 4217, as in "EUR". */
  currency: string | null;
  /** A way to pay, as the gateway names it: "SEPA". */
  by: string | null;
  /** "light" or "dark". Default: the theme of the system. */
  theme: string | null;
  /**
   * The address of the link "Return to the app", which may have an app's own scheme. An address that runs script or reads a file is ignored.
   * `order_id` and `stage` are added to its query.
   */
  returnTo: string | null;
  /** Replaces this browser's localStorage. Set it before the element is added to the page. */
  store: RampBuyStore | undefined;
};

/** The events. Amounts are strings like "100.00 EUR" and "107869 sat". No event contains a secret: neither how to pay nor the link that pays out. */
export type RampBuyNews =
  | { name: 'offer'; detail: { offers: number; provider?: string; pays?: string; gets?: string } }
  | { name: 'ordered' | 'filled' | 'finished'; detail: { orderId: string; stage: string; provider: string; pays?: string; gets?: string } }
  /** `code` and `action` are the gateway's (docs/errors.md) or the client's own, such as `unreachable`. `message` is in English. */
  | { name: 'error'; detail: { code: string; action: string; message: string; requestId?: string | undefined } };

declare global {
  interface HTMLElementTagNameMap {
    'ramp-buy': RampBuyElement;
  }
}
