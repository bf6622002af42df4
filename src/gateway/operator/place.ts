/** The cursors of lists: opaque strings that name the last row of a page, so that the next page stays the same while rows are added before it. */
import type { Place } from '../../ports/operator.ts';
import { Problem } from '../problem.ts';

const cursorOf = ({ on, id }: Place): string => `${on.toString(36)}.${id}`;

/** Throws `invalid-request` for a string that is not a cursor of this gateway. */
export const placeOf = (cursor: string | undefined): Place | undefined => {
  if (cursor === undefined) return undefined;
  const [, on, id] = /^([0-9a-z]{1,9})\.([\w-]{1,64})$/.exec(cursor) ?? [];
  if (on === undefined || id === undefined) {
    const detail = 'is not a cursor that this gateway gave out';
    throw new Problem('invalid-request', `/cursor: ${detail}`, { errors: [{ pointer: '/cursor', detail }] });
  }
  return { on: Number.parseInt(on, 36), id };
};

/** Returns one page of a list, which must have been read with one row more than a page has. */
export const pageOf = <T>(rows: readonly T[], size: number, place: (row: T) => Place) => {
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  const more = rows.length > size;
  return { shown, more, ...(more && last !== undefined ? { next_cursor: cursorOf(place(last)) } : {}) };
};
