import { components } from './component-words.ts';
import { members } from './members.ts';

/** Looks up descriptions while a document is built, and remembers which ones were missing and which were used. */
export type Words = { component: (name: string) => string; member: (schema: string, member: string) => string; check: () => void };

/** Returns the functions that look up the document's descriptions. `check` throws if a description was missing, or if one was never used. */
export const createWords = (): Words => {
  const missing = new Set<string>();
  const used = new Set<string>();
  const text = (from: { readonly [name: string]: string }, name: string): string => {
    used.add(name);
    const found = from[name];
    if (found === undefined) missing.add(name);
    return found ?? '';
  };
  return {
    component: (name) => text(components, name),
    member: (schema, member) => text(members, members[`${schema}.${member}`] === undefined && members[member] !== undefined ? member : `${schema}.${member}`),
    check: () => {
      const idle = [...Object.keys(components), ...Object.keys(members)].filter((name) => !used.has(name));
      if (missing.size > 0) throw new Error(`src/contract/members.ts or component-words.ts has no description of: ${[...missing].join(', ')}`);
      if (idle.length > 0) throw new Error(`src/contract/members.ts or component-words.ts describes what does not exist: ${idle.join(', ')}`);
    },
  };
};
