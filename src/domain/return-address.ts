/** Schemes whose addresses lead to no app: a browser runs them as script in the page that shows the link, or reads them from itself or the machine. */
const leadNowhere = new Set(['javascript:', 'vbscript:', 'data:', 'blob:', 'file:']);

/**
 * Returns whether a customer may be sent back to this address: a page, or an app with a scheme of its own. The scheme is read as a browser reads it,
 * which ignores spaces before it and tabs or line ends inside it.
 */
export const mayReturnTo = (address: string): boolean => URL.canParse(address) && !leadNowhere.has(new URL(address).protocol);
