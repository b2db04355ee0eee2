import { defineConfig } from 'vitest/config'

// Takes minutes, hence its own command: npm run test:mutation
export default defineConfig({
  test: {
    include: ['tests/mutation/*.mutation.ts'],
    globalSetup: ['tests/support/cluster.setup.ts'],
    maxConcurrency: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
