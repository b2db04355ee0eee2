/** The accounts that supabase/seed.sql makes. */
export const demoPeople = {
  password: 'parley-demo',
  emails: ['ana@grand-hotel.example', 'ben@grand-hotel.example', 'chloe@grand-hotel.example', 'dan@example.com'],
}

/** The stay that it makes: whoever calls `join_as_guest` with these first is the guest. */
export const demoGuest = { hotelSlug: 'grand-hotel', roomNumber: '101', code: 'PARLEY2345' }
