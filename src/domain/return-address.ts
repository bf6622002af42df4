/**
 * Schemes whose addresses lead to no app. A browser runs such an address as script in the page that shows the link, or opens content from its own
 * memory or from the machine.
 */
const leadNowhere = new Set(['javascript:', 'vbscript:', 'data:', 'blob:', 'file:']);

/**
 * Returns whether a customer may be sent back to this address: a page, or an app with a scheme of its own. The scheme is read as a browser reads it,
 * which ignores spaces before it and tabs or line ends inside it.
 */
export const mayReturnTo = (address: string): boolean => URL.canParse(address) && !leadNowhere.has(new URL(address).protocol);
