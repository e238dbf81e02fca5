// A worker's script as a text; see build.mjs.
declare module "worker:hash" {
  const source: string;
  export default source;
}
