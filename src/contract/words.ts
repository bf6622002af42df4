import { components } from './component-words.ts';
import { members } from './members.ts';

/** Which texts are missing, and which were asked for, while a document is made. */
export type Words = { component: (name: string) => string; member: (schema: string, member: string) => string; check: () => void };

/** The texts of a document. `check` throws when a text is missing, or when one is there that nothing asked for. */
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
      if (missing.size > 0) throw new Error(`src/contract/members.ts or component-words.ts says nothing about: ${[...missing].join(', ')}`);
      if (idle.length > 0) throw new Error(`src/contract/members.ts or component-words.ts speaks of what is not there: ${idle.join(', ')}`);
    },
  };
};
