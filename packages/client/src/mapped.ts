/** Returns `to(value)`, or undefined if the value is missing. */
export const mapped = <From, To>(value: From | undefined, to: (value: From) => To): To | undefined => (value === undefined ? undefined : to(value));
export const dateOf = (text: string): Date => new Date(text);
