/** Wrangler's Text rule imports a YAML file as a string. */
declare module '*.yaml' {
  const text: string;
  export default text;
}
