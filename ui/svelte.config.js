// Compiles as is: TypeScript is stripped by Svelte itself.
export default { compilerOptions: { runes: true } };
