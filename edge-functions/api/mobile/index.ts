import type { Document } from '../route.ts'

export const mobile: Document = { name: 'mobile', title: 'mobile', malformedId: 404, routes: [] }
