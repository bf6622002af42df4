import { customerLink } from './links.ts';

/** Whether customerLink would hand the link out. */
export const trustedLink = (link: string, hosts: readonly string[], sandbox: boolean): boolean => customerLink(link, hosts, sandbox) !== undefined;
