! Opens by each Fortran binding; prints the hint that each file has.
program fortran
  use mpi_f08
  implicit none
  type(MPI_File) :: f
  type(MPI_Info) :: info
  integer :: rank, old, i
  character(len=64) :: value
  character(len=256) :: folder
  integer, allocatable :: buffer(:)
  logical :: found
  call get_command_argument(1, folder)
  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  allocate (buffer(65536), source=rank)
  do i = 1, 4
    if (mod(i, 2) == 1) then
      call MPI_File_open(MPI_COMM_WORLD, trim(folder)//'/f08  ', &
                         MPI_MODE_CREATE + MPI_MODE_RDWR, MPI_INFO_NULL, f)
    else
      call old_open(trim(folder)//'/mpif', old)
      f%MPI_VAL = old
    end if
    call MPI_File_write_at_all(f, int(rank, MPI_OFFSET_KIND) * 262144, buffer, 65536, &
                               MPI_INTEGER, MPI_STATUS_IGNORE)
    call MPI_File_get_info(f, info)
    call MPI_Info_get(info, 'cb_buffer_size', 64, value, found)
    call MPI_Info_free(info)
    call MPI_File_close(f)
    if (rank == 0) print '(a,i0,a,a)', 'open ', i, ' ', trim(value)
  end do
  call MPI_Finalize()
end program

! By the binding of before 2008.
subroutine old_open(name, f)
  implicit none
  include 'mpif.h'
  character(len=*), intent(in) :: name
  integer, intent(out) :: f
  integer :: ierr
  call MPI_File_open(MPI_COMM_WORLD, name, MPI_MODE_CREATE + MPI_MODE_RDWR, &
                     MPI_INFO_NULL, f, ierr)
end subroutine
