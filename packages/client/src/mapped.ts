/** `to(value)`, or undefined for a value that is not there. */
export const mapped = <From, To>(value: From | undefined, to: (value: From) => To): To | undefined => (value === undefined ? undefined : to(value));
export const dateOf = (text: string): Date => new Date(text);
