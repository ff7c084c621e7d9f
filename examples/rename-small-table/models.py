import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Country(Base):
    __tablename__ = "countries"
    __table_args__ = (sa.Index("countries_title_idx", "title", unique=True),)

    code: Mapped[str] = mapped_column(sa.CHAR(2), primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text)
