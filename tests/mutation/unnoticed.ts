/** What can be taken away without a test that runs one session at a time noticing it, and why. */
export const unnoticed: Record<string, string> = {}
