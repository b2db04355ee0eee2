import type { Document } from '../route.ts'

export const messaging: Document = { name: 'messaging', title: 'messaging', malformedId: 404, routes: [] }
