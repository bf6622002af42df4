/** Wrangler's Text rule hands a YAML file over as a string. */
declare module '*.yaml' {
  const text: string;
  export default text;
}
