import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Two cores: more workers only make each other wait.
    maxWorkers: 2,
    testTimeout: 30_000,
    // Said by supabase-js in each file, on Node 20 alone.
    onConsoleLog: (line) => !line.includes('Node.js 20 and below are deprecated'),
    hookTimeout: 60_000,
    projects: [
      {
        // The database and the parts of the stack, each by itself: one Postgres, a copy of a template for each file.
        extends: true,
        test: {
          name: 'parts',
          include: [
            'tests/*.test.ts',
            'tests/chat-core/**/*.test.ts',
            'tests/stack/**/*.test.ts',
            // Each with parts of the stack of its own, since they kill some.
            'tests/functions/{push-jobs,cleanup-jobs,deploy}.test.ts',
          ],
          globalSetup: ['tests/support/cluster.setup.ts'],
        },
      },
      {
        // The product, end to end: one running stack, and people of their own for each test.
        extends: true,
        test: {
          name: 'chat',
          include: ['tests/chat/**/*.test.ts', 'tests/functions/**/*.test.ts', 'tests/http/**/*.test.ts'],
          exclude: ['tests/functions/{push-jobs,cleanup-jobs,deploy}.test.ts'],
          globalSetup: ['tests/support/stack.setup.ts'],
        },
      },
      {
        // The command line, as a developer uses it: a copy of the project for each test.
        extends: true,
        test: {
          name: 'commands',
          include: ['tests/commands/**/*.test.ts'],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
