import type { Document } from '../route.ts'

export const hotel: Document = { name: 'hotel', title: 'hotel', malformedId: 404, routes: [] }
